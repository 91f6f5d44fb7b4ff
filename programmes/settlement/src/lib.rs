//! Bills come in and are settled exactly, layer by layer, with a statement a patient can read.
