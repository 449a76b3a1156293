"""One construct per capability, with defaults that are right: alarms, dead letters, retention, encryption, tracing."""
