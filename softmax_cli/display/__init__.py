"""Results as cells, drawn for people: grids of cells, and what Rich makes of them."""
