//! A piece of work that moves through stages between tiers, and the tasks that are due.
