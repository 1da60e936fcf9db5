//! Panics of fjall become errors.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use store::StoreError;

use crate::cause;

/// Does something with fjall, which panics where it finds on the disk what it takes for impossible.
/// Whoever gets the error uses what was touched no more, so half-done changes of it do not matter.
pub(crate) fn contained<T>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(cause::damaged(folder, message(&*panic))))
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic")
}

#[cfg(test)]
mod tests {
    use store::Trouble;

    use super::*;

    #[test]
    fn a_panic_is_damage_with_its_message() {
        let result: Result<(), _> = contained(Path::new("/store"), || panic!("impossible {}", 7));
        let error = result.unwrap_err();
        assert_eq!(error.trouble(), Trouble::Damaged);
        assert!(error.to_string().contains("impossible 7"), "{error}");
    }
}
