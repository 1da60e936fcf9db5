//! A device and a sender: MQTT client and signed HTTP client, for the command line, tests and load.
