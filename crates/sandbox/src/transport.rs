//! One accepted connection, plain or inside TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// How long, and for how many bytes, a peer may go on sending after the connection was given up.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

pub(crate) enum Transport {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ServerConnection, TcpStream>>),
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_ref(),
        }
    }

    /// Closes so that the peer sees its connection reset.
    pub(crate) fn reset(self) {
        // std cannot yet set SO_LINGER, which makes closing abortive.
        let _ = socket2::SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }

    /// Closes so that the peer can still read what was sent to it.
    pub(crate) fn close(mut self) {
        #[cfg(feature = "tls")]
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.tcp().shutdown(Shutdown::Write);
        // Closing with unread bytes would reset the connection and take the answer with it.
        let _ = self.drain();
    }

    fn drain(&mut self) -> io::Result<()> {
        let deadline = Instant::now() + LINGER;
        let mut tcp = self.tcp();
        tcp.set_read_timeout(Some(LINGER))?;
        let (mut chunk, mut total) = ([0; 8 * 1024], 0);
        while total < LINGER_BYTES && Instant::now() < deadline {
            match tcp.read(&mut chunk)? {
                0 => break,
                count => total += count,
            }
        }
        Ok(())
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(tcp) => tcp.write(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.flush(),
        }
    }
}
