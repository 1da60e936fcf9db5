//! The async runtime, and a server run on it until it is told to stop.

use std::fmt::Display;
use std::future::Future;
use std::process::ExitCode;

use crate::config::Config;
use crate::dev::DataFolder;
use crate::serve::{Running, Signals, notify, start};

/// Runs a future to its end on a runtime of this thread. A server adds threads of its own.
pub(super) fn block_on(future: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(future);
            runtime.shutdown_background();
            code
        }
        Err(error) => fail(format_args!("no threads to run on: {error}")),
    }
}

/// Starts a server, tells `ready` when all its listeners accept, and runs it until SIGTERM or
/// SIGINT; a second signal ends the process at once.
pub(super) async fn serve(
    config: Config,
    folder: Option<&DataFolder>,
    ready: impl FnOnce(&Running) -> Result<(), String>,
) -> ExitCode {
    let mut signals = match Signals::take_over() {
        Ok(signals) => signals,
        Err(error) => return fail(format_args!("signals cannot be waited for: {error}")),
    };
    let running = match start(config, folder).await {
        Ok(running) => running,
        Err(error) => return fail(error),
    };
    if let Err(error) = ready(&running) {
        return fail(error);
    }
    notify("READY=1");
    signals.told_to_stop(&running).await;
    notify("STOPPING=1");
    eprintln!("tenfour: draining; once more to stop at once");
    tokio::select! {
        () = running.stop() => ExitCode::SUCCESS,
        () = signals.told_again() => ExitCode::FAILURE,
    }
}

/// Says what went wrong.
pub(super) fn fail(error: impl Display) -> ExitCode {
    eprintln!("tenfour: {error}");
    ExitCode::FAILURE
}
