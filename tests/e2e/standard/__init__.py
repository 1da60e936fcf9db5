"""The numbered statements of MQTT 3.1.1 and 5.0, shown on a bare socket."""
