"""Real daemons, and somebody who kills, stops, parts and confuses them."""
