"""A service model of botocore: what an operation takes, gives and fails with."""

import botocore.session


class ServiceModel:
    """The model of one service."""

    def __init__(self, name):
        self.model = botocore.session.get_session().get_service_model(name)
        self.operations = set(self.model.operation_names)

    def required(self, operation):
        """The members of the body that have to be there."""
        shape = self.model.operation_model(operation).input_shape
        if shape is None:
            return []
        members, payload = shape.members, shape.serialization.get("payload")
        return [name for name in shape.required_members
                if name != payload and "location" not in members[name].serialization]

    def errors(self, operation):
        """The names of the errors that it is modelled to fail with."""
        return {shape.name for shape in self.model.operation_model(operation).error_shapes}

    def misfits(self, operation, answer):
        """What of an answer's JSON is not as modelled: a member's path and what is wrong."""
        shape = self.model.operation_model(operation).output_shape
        return list(_misfits(shape, answer, "")) if shape is not None else []


def _misfits(shape, value, path):
    kinds = {"string": str, "integer": int, "long": int, "boolean": bool, "list": list,
             "map": dict, "structure": dict, "timestamp": (int, float), "double": (int, float)}
    kind = kinds.get(shape.type_name)
    if kind is None or value is None:
        return
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield f"{path}: {type(value).__name__}, not {shape.type_name}"
    elif shape.type_name == "structure":
        names = {member.serialization.get("name", name): member
                 for name, member in shape.members.items()}
        for name, part in value.items():
            if name in names:
                yield from _misfits(names[name], part, f"{path}.{name}")
            else:
                yield f"{path}.{name}: not in the model"
    elif shape.type_name == "list":
        for part in value:
            yield from _misfits(shape.member, part, f"{path}[]")
    elif shape.type_name == "map":
        for part in value.values():
            yield from _misfits(shape.value, part, f"{path}{{}}")
