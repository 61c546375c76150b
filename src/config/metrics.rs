//! `[metrics]`: where a monitor finds the figures of the program.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::settings::Section;

/// Where a monitor finds the figures of the program; nowhere unless the configuration says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The file that `run` leaves for the textfile collector of `node_exporter`; a relative path is relative to the
    /// configuration's folder.
    pub textfile: Option<PathBuf>,
    /// Where `serve` answers over HTTP, on this machine only.
    pub listen: Option<SocketAddr>,
}

pub(super) fn read(root: &Section<'_>, folder: &Path) -> Metrics {
    const TEXTFILE: &str = "write a path that ends in .prom, because node_exporter reads no others: \"/var/lib/node_exporter/textfile/bss_sync.prom\"";
    const LISTEN: &str = "write an address and a port of this machine: \"127.0.0.1:9744\" or \"[::1]:9744\"; who wants the \
                          figures from elsewhere puts a proxy before it";
    let Some(section) = root.table("metrics") else { return Metrics::default() };
    let textfile = section.read("textfile", |path| {
        let is_read = Path::new(path).extension().is_some_and(|extension| extension == "prom");
        if is_read { Ok(folder.join(path)) } else { Err(TEXTFILE.to_owned()) }
    });
    let listen = section.read("listen", |address| {
        address
            .parse()
            .ok()
            .filter(|address: &SocketAddr| address.ip().is_loopback())
            .ok_or(LISTEN.to_owned())
    });
    section.finish();
    Metrics { textfile, listen }
}
