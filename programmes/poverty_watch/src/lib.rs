//! Finds the households that illness is pulling under, with evidence, and follows each warning to a decision.
