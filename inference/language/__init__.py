"""Language models: what writes scripts and moves the bible forward."""
