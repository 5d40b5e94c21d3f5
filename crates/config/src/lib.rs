//! Layers of settings with provenance: where each value came from, and errors that point at the line.
//!
//! The caller reads files and the environment and passes text; which keys there are is decided by whoever reads them.
//!
//! ```
//! let mut settings = config::Layers::new()
//!     .built_in("model = 'small'\n[retries]\nstream = 5")?
//!     .file("config.toml", "retries.stream = 8")?
//!     .argument("model=large")?
//!     .merge();
//! let mut retries = settings.table("retries")?;
//!
//! assert_eq!(settings.read("model")?, Some("large".to_owned()));
//! assert_eq!(retries.read("stream")?, Some(8_u64));
//! retries.finish()?;
//! settings.finish()?;
//! # Ok::<(), config::ConfigError>(())
//! ```

mod error;
mod key;
mod layers;
mod nearest;
mod node;
mod origin;
mod parse;
mod quote;
mod scan;
mod secret;
mod table;
mod value;

pub use error::ConfigError;
pub use layers::Layers;
pub use nearest::nearest;
pub use origin::{Origin, Source};
pub use table::{Entry, Table};
pub use value::Value;

/// The most bytes that one file, argument or variable may have.
pub const MAX_BYTES: usize = 1 << 20;

/// How deep tables and lists may stand in one another.
pub const MAX_DEPTH: usize = 32;
