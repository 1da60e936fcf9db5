"""The registry files of a data folder: certificates, senders, things and policies."""

import json
import os

ARN = "arn:aws:iot:us-west-2:123456789012:"


def statement(effect, action, resource, **condition):
    """One statement of a policy; resources are written without their ARN prefix."""
    resources = resource if isinstance(resource, list) else [resource]
    written = {
        "Effect": effect,
        "Action": action,
        "Resource": [r if r == "*" else ARN + r for r in resources],
    }
    if condition:
        written["Condition"] = condition
    return written


def allow(action, resource, **condition):
    """An Allow statement."""
    return statement("Allow", action, resource, **condition)


def deny(action, resource, **condition):
    """A Deny statement."""
    return statement("Deny", action, resource, **condition)


class Registry:
    """Writes registry files, each at once (a rename), as an editor that cares does."""

    def __init__(self, folder):
        self.folder = folder

    def policy(self, name, *statements):
        """Writes a policy document."""
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        self.write(f"policies/{name}.json", json.dumps(document, indent=2))

    def certificate(self, name, certificate, policies, status="ACTIVE", things=()):
        """Registers a certificate."""
        self.write(
            f"certificates/{name}.toml",
            f"certificate = {json.dumps(str(certificate.cert))}\n"
            f"status = {json.dumps(status)}\n"
            f"policies = {json.dumps(list(policies))}\n"
            f"things = {json.dumps(list(things))}\n",
        )

    def sender(self, name, credentials, policies, status="ACTIVE", expires=None):
        """Registers an access key."""
        lines = [
            f"access_key_id = {json.dumps(credentials.access_key)}",
            f"secret_access_key = {json.dumps(credentials.secret_key)}",
            f"status = {json.dumps(status)}",
            f"policies = {json.dumps(list(policies))}",
        ]
        if credentials.token:
            lines.append(f"session_token = {json.dumps(credentials.token)}")
        if expires:
            lines.append(f"expires = {json.dumps(expires)}")
        self.write(f"senders/{name}.toml", "\n".join(lines) + "\n")

    def thing(self, name, kind, **attributes):
        """Registers a thing."""
        lines = [f"type = {json.dumps(kind)}", "", "[attributes]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in attributes.items()]
        self.write(f"things/{name}.toml", "\n".join(lines) + "\n")

    def write(self, name, text):
        """Replaces one file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(text)
        os.replace(fresh, path)

    def remove(self, name):
        """Removes one file."""
        (self.folder / name).unlink()
