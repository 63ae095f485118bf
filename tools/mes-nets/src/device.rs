//! Where a fit is computed: one core, or a graphics card where this program was built for one (`--features cuda`, which
//! needs CUDA's compiler, nvcc).

use mes_pipe::{Error, Result, fitting};

/// Makes a device ready.
///
/// # Errors
///
/// [`Error::Usage`] when this program was built without it, [`Error::Failed`] when the machine does not have it.
pub fn open(device: fitting::Device) -> Result<candle_core::Device> {
    match device {
        fitting::Device::Cpu => Ok(candle_core::Device::Cpu),
        fitting::Device::Cuda => cuda(),
    }
}

#[cfg(feature = "cuda")]
fn cuda() -> Result<candle_core::Device> {
    candle_core::Device::new_cuda(0)
        .map_err(|error| Error::failed(format!("--device cuda: no graphics card answers: {error}")))
}

#[cfg(not(feature = "cuda"))]
fn cuda() -> Result<candle_core::Device> {
    Err(Error::usage(
        "--device cuda: this mes-nets was built without it: cargo build --release -p mes-nets --features cuda, where \
         nvcc is",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_built_in_is_refused_with_what_builds_it() {
        assert!(open(fitting::Device::Cpu).is_ok());
        if !cfg!(feature = "cuda") {
            let error = open(fitting::Device::Cuda).expect_err("not built in");
            assert!(error.code() == 2 && error.to_string().contains("--features cuda"), "{error}");
        }
    }
}
