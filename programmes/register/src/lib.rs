//! The register of residents: search, household, person, and the import of registers.
