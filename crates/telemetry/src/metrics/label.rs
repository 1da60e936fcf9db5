//! Labels whose values are all known beforehand.

/// A label with a closed set of values, each with its place in an array of counters: to count is to
/// index, nothing is hashed or compared.
pub(crate) trait Label {
    /// How many values there are.
    const COUNT: usize;

    /// The place of this one, below [`Self::COUNT`].
    fn slot(&self) -> usize;

    /// The words of all of them, by place.
    fn words() -> Vec<&'static str>;
}

/// Makes a type a [`Label`]: for each value a name of its place, the pattern that it matches and an
/// example, whose word the closure tells. The match has no `_` arm: a new variant does not compile
/// before it has a place here.
///
/// For an enum of unit variants their names are enough.
macro_rules! label {
    ($type:ty, $word:expr, { $($variant:ident),+ $(,)? }) => {
        label!($type, $word, { $($variant: Self::$variant => Self::$variant),+ });
    };
    ($type:ty, $word:expr, { $($slot:ident: $pattern:pat => $example:expr),+ $(,)? }) => {
        const _: () = {
            enum Slot {
                $($slot),+
            }

            impl $crate::metrics::Label for $type {
                const COUNT: usize = [$(Slot::$slot as usize),+].len();

                #[inline]
                fn slot(&self) -> usize {
                    let slot = match self {
                        $($pattern => Slot::$slot),+
                    };
                    slot as usize
                }

                fn words() -> Vec<&'static str> {
                    vec![$($word(&$example)),+]
                }
            }
        };
    };
}

pub(crate) use label;
