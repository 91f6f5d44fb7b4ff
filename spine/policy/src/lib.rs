//! Policy packs, layers, settlement arithmetic and its explanation. Pure: no input or output but reading packs.
