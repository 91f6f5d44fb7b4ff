//! The binary kangmai: serves the pages and runs every command.
