//! SQLite or PostgreSQL behind one type: one SQL text, transactions, migrations, bulk insert.
