//! MQTT bytes: packets of 3.1.1 and 5.0, client IDs, topic names and filters, reason codes.
