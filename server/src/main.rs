//! The binary `kangmai`.

fn main() -> anyhow::Result<()> {
    kangmai_server::commands::main()
}
