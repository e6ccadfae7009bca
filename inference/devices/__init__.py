"""The accelerators of this host: what they are, how they are doing, what their faults mean."""
