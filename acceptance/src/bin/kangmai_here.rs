//! The program itself, built with the tests, so that a test can start it and kill it.

fn main() -> anyhow::Result<()> {
    kangmai_server::commands::main()
}
