//! Accounts, roles, sign-in, and the one function that says who may see what.
