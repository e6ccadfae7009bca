"""Quality gates: what a clip must be, and how clips join, decided purely from figures."""
