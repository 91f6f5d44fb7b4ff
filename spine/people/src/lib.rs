//! Persons, households, identity labels as dated intervals, and how two records are told to be one person.
