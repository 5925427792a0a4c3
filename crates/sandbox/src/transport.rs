//! An accepted connection, with or without TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The limits, in time and in bytes, for reading from a peer after the connection was closed for
/// writing.
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

pub(crate) enum Transport {
    Plain(Socket),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ServerConnection, Socket>>),
}

/// A TCP connection with a deadline for reads.
pub(crate) struct Socket {
    tcp: Arc<TcpStream>,
    deadline: Option<Instant>,
}

impl Socket {
    pub(crate) fn new(tcp: Arc<TcpStream>) -> Self {
        Self { tcp, deadline: None }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.tcp.set_read_timeout(Some(left))?;
        }
        (&*self.tcp).read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        (&*self.tcp).write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => &socket.tcp,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => &stream.get_ref().tcp,
        }
    }

    /// Sets the time, from now, after which reads fail; `None` lets them wait indefinitely.
    pub(crate) fn set_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let socket = match self {
            Self::Plain(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_mut(),
        };
        // A deadline that an Instant cannot represent is treated as none.
        socket.deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        socket.tcp.set_read_timeout(None)
    }

    /// Closes the connection with a reset.
    pub(crate) fn reset(self) {
        // With SO_LINGER at zero, closing sends a reset. std has no stable way to set it.
        let _ = socket2::SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }

    /// Closes the connection so that the peer can still read all data that was sent to it.
    pub(crate) fn close(mut self) {
        #[cfg(feature = "tls")]
        if let Self::Tls(stream) = &mut self {
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
        let _ = self.tcp().shutdown(Shutdown::Write);
        // Closing a socket with unread data resets the connection, and the peer loses the response.
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
            Self::Plain(socket) => socket.read(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(buffer),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.flush(),
        }
    }
}
