//! `whoami`: who calls, and what they may do.

use clap::Args;

use super::{
    Failure, Global,
    call::{Call, Output},
};

/// Say who calls, and what they may do: the tool `whoami`, through the same gate as an agent.
#[derive(Debug, Args)]
pub(super) struct Whoami {
    /// What to print.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

impl Whoami {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        Call::bare("whoami", self.output).run(global).await
    }
}
