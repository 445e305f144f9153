//! The functions of the interface, a row each: name, parameters, what answers.

use super::WasiCtx;
use super::abi::Version;
use super::guest::{Answer, Call, Failure, GuestMemory};
use super::system::Which;
use crate::error::Error;
use crate::host::{Caller, HostFailure};
use crate::linker::Linker;
use crate::native::define;

/// Finds the state in the embedder's data.
pub type Get<T> = fn(&mut T) -> &mut WasiCtx;

/// The modules that ask for the interface, and what each means by it.
const MODULES: [(&str, Version); 2] =
    [("wasi_snapshot_preview1", Version::Preview1), ("wasi_unstable", Version::Snapshot0)];

/// Makes a call of a guest one of the state's, and its answer one for the guest.
fn answer<T>(
    caller: &mut Caller<'_, T>,
    (get, version): (Get<T>, Version),
    act: impl FnOnce(&mut Call<'_>) -> Answer,
) -> Result<u32, HostFailure> {
    let (memory, data, run) = caller.parts();
    let mut call = Call { version, memory: GuestMemory { bytes: memory }, ctx: get(data), run };
    match act(&mut call) {
        Ok(()) => Ok(0),
        Err(Failure::Errno(errno)) => Ok(errno as u32),
        Err(Failure::End(failure)) => Err(failure),
    }
}

macro_rules! functions {
    ($linker:ident $module:ident $how:ident; $($name:ident ($($arg:ident: $ty:ty),*) => $call:ident ($($pass:expr),*);)*) => {
        $(define($linker, $module, stringify!($name), move |mut caller: Caller<'_, T>, $($arg: $ty),*| {
            answer(&mut caller, $how, |call| call.$call($($pass),*))
        })?;)*
    };
}

/// Defines the functions of both interfaces. Each is guarded by the capability that `abi::imports` gives it.
///
/// # Errors
/// [`Error::DefinedTwice`].
pub fn add_to_linker<T: 'static>(linker: &mut Linker<T>, get: Get<T>) -> Result<(), Error> {
    for (module, version) in MODULES {
        let how = (get, version);
        functions! { linker module how;
            args_get(pointers: u32, bytes: u32) => strings_get(Which::Args, pointers, bytes);
            args_sizes_get(len: u32, bytes: u32) => strings_sizes_get(Which::Args, len, bytes);
            environ_get(pointers: u32, bytes: u32) => strings_get(Which::Environ, pointers, bytes);
            environ_sizes_get(len: u32, bytes: u32) => strings_sizes_get(Which::Environ, len, bytes);
            clock_res_get(clock: u32, result: u32) => clock_res_get(clock, result);
            clock_time_get(clock: u32, precision: u64, result: u32) => clock_time_get(clock, precision, result);
            fd_advise(fd: u32, offset: u64, len: u64, advice: u32) => fd_advise(fd, offset, len, advice);
            fd_allocate(fd: u32, offset: u64, len: u64) => fd_allocate(fd, offset, len);
            fd_close(fd: u32) => fd_close(fd);
            fd_datasync(fd: u32) => fd_sync(fd, true);
            fd_fdstat_get(fd: u32, result: u32) => fd_fdstat_get(fd, result);
            fd_fdstat_set_flags(fd: u32, flags: u32) => fd_fdstat_set_flags(fd, flags);
            fd_fdstat_set_rights(fd: u32, base: u64, inheriting: u64) => fd_fdstat_set_rights(fd, base, inheriting);
            fd_filestat_get(fd: u32, result: u32) => fd_filestat_get(fd, result);
            fd_filestat_set_size(fd: u32, size: u64) => fd_filestat_set_size(fd, size);
            fd_filestat_set_times(fd: u32, atim: u64, mtim: u64, flags: u32) => fd_filestat_set_times(fd, atim, mtim, flags);
            fd_pread(fd: u32, vectors: u32, len: u32, offset: u64, result: u32) => fd_read(fd, vectors, len, Some(offset), result);
            fd_prestat_get(fd: u32, result: u32) => fd_prestat_get(fd, result);
            fd_prestat_dir_name(fd: u32, name: u32, len: u32) => fd_prestat_dir_name(fd, name, len);
            fd_pwrite(fd: u32, vectors: u32, len: u32, offset: u64, result: u32) => fd_write(fd, vectors, len, Some(offset), result);
            fd_read(fd: u32, vectors: u32, len: u32, result: u32) => fd_read(fd, vectors, len, None, result);
            fd_readdir(fd: u32, addr: u32, len: u32, cookie: u64, result: u32) => fd_readdir(fd, addr, len, cookie, result);
            fd_renumber(from: u32, to: u32) => fd_renumber(from, to);
            fd_seek(fd: u32, delta: i64, whence: u32, result: u32) => fd_seek(fd, delta, whence, result);
            fd_sync(fd: u32) => fd_sync(fd, false);
            fd_tell(fd: u32, result: u32) => fd_tell(fd, result);
            fd_write(fd: u32, vectors: u32, len: u32, result: u32) => fd_write(fd, vectors, len, None, result);
            path_create_directory(fd: u32, path: u32, len: u32) => path_create_directory(fd, (path, len));
            path_filestat_get(fd: u32, lookup: u32, path: u32, len: u32, result: u32) => path_filestat_get(fd, lookup, (path, len), result);
            path_filestat_set_times(fd: u32, lookup: u32, path: u32, len: u32, atim: u64, mtim: u64, flags: u32)
                => path_filestat_set_times(fd, lookup, (path, len), (atim, mtim), flags);
            path_link(fd: u32, lookup: u32, path: u32, len: u32, new_fd: u32, new_path: u32, new_len: u32)
                => path_link((fd, lookup, (path, len)), (new_fd, (new_path, new_len)));
            path_open(fd: u32, lookup: u32, path: u32, len: u32, oflags: u32, base: u64, inheriting: u64, flags: u32, result: u32)
                => path_open(fd, lookup, (path, len), (oflags, base, inheriting, flags), result);
            path_readlink(fd: u32, path: u32, len: u32, addr: u32, max: u32, result: u32) => path_readlink(fd, (path, len), (addr, max), result);
            path_remove_directory(fd: u32, path: u32, len: u32) => path_remove_directory(fd, (path, len));
            path_rename(fd: u32, path: u32, len: u32, new_fd: u32, new_path: u32, new_len: u32)
                => path_rename((fd, (path, len)), (new_fd, (new_path, new_len)));
            path_symlink(target: u32, target_len: u32, fd: u32, path: u32, len: u32) => path_symlink((target, target_len), fd, (path, len));
            path_unlink_file(fd: u32, path: u32, len: u32) => path_unlink_file(fd, (path, len));
            poll_oneoff(subscriptions: u32, events: u32, len: u32, result: u32) => poll_oneoff(subscriptions, events, len, result);
            proc_raise(signal: u32) => proc_raise(signal);
            random_get(addr: u32, len: u32) => random_get(addr, len);
            sched_yield() => sched_yield();
            sock_recv(fd: u32, _vectors: u32, _len: u32, _flags: u32, _received: u32, _result: u32) => no_socket(fd, "sock_recv");
            sock_send(fd: u32, _vectors: u32, _len: u32, _flags: u32, _result: u32) => no_socket(fd, "sock_send");
            sock_shutdown(fd: u32, _how: u32) => no_socket(fd, "sock_shutdown");
        }
        if version == Version::Preview1 {
            functions! { linker module how;
                sock_accept(fd: u32, _flags: u32, _result: u32) => no_socket(fd, "sock_accept");
            }
        }
        define(linker, module, "proc_exit", move |mut caller: Caller<'_, T>, status: u32| {
            answer(&mut caller, how, |call| call.proc_exit(status)).map(|_| ())
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use wasmos_abi::imports;

    use super::*;

    #[test]
    fn every_known_import_is_defined_with_its_type() {
        let mut linker = Linker::<WasiCtx>::new(&crate::Engine::default());
        add_to_linker(&mut linker, |ctx| ctx).unwrap();
        let known = |module: &'static str| imports::known().filter(move |import| import.module == module);
        for import in MODULES.iter().flat_map(|(module, _)| known(module)) {
            let found = linker.host_type(import.module, import.name).expect("a definition");
            let map =
                |types: &[imports::Type]| types.iter().map(|ty| crate::value::known(*ty)).collect::<Vec<_>>();
            let wanted = crate::FuncType::new(&map(import.params), &map(import.results));
            assert_eq!(found, wanted, "{}.{}", import.module, import.name);
        }
        let counts = MODULES.map(|(module, _)| known(module).count());
        assert_eq!((counts, linker.len()), ([46, 45], 91));
    }
}
