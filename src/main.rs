//! The `platform-mcp` binary.

use std::process::ExitCode;

use clap::Parser as _;
use platform_mcp::{cli::Cli, ending, telemetry};

/// Much of a call's own cost is allocation, and this allocator makes it cheaper (`make bench`). Without
/// transparent huge pages: they would take 8 MiB before the first call.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    telemetry::start();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(cli.run());
            // a read of standard input that nobody waits for must not keep the process
            runtime.shutdown_background();
            ending::finish();
            code
        }
        Err(error) => {
            tracing::error!("cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
