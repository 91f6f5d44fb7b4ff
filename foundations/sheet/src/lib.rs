//! A sheet of rows that comes from outside: columns, cells, faults and what a dry run says.
