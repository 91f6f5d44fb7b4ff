//! Each person with a diagnosis in exactly one plan: major disease, chronic or severe.
