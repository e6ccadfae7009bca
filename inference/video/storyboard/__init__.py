"""The storyboard renderer: shots drawn as moving, layered pictures on the CPU."""
