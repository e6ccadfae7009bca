"""Video diffusion models in local folders, run by diffusers: one implementation, small adapters."""
