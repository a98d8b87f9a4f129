package dev.obr.kernels.cuda;

import dev.obr.kernels.ObrException;
import dev.obr.kernels.gpu.ComputeCapability;
import dev.obr.kernels.gpu.GpuException;
import java.nio.charset.StandardCharsets;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** Questions to the driver that need no context, and its error codes as sentences. */
final class Driver {
    private static final int NAME_BYTES = 128;

    private Driver() {}

    static CUdevice device(int index) {
        CUdevice device = new CUdevice();
        check(JCudaDriver.cuDeviceGet(device, index), "cuDeviceGet", "GPU " + index);
        return device;
    }

    static CudaGpu describe(int index, int driverVersion) {
        CUdevice device = device(index);
        byte[] name = new byte[NAME_BYTES];
        check(JCudaDriver.cuDeviceGetName(name, name.length, device), "cuDeviceGetName", "GPU " + index);
        long[] total = new long[1];
        check(JCudaDriver.cuDeviceTotalMem(total, device), "cuDeviceTotalMem", "GPU " + index);
        ComputeCapability capability = new ComputeCapability(
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
                attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
        return new CudaGpu(index, text(name), capability, total[0], driverVersion);
    }

    static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute", "the GPU");
        return value[0];
    }

    /** @throws ObrException unless the call succeeded */
    static void check(int result, String call, String where) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw failure(result, call, where);
        }
    }

    /** "GPU 0 (NVIDIA A100): cuMemAlloc failed: CUDA_ERROR_INVALID_VALUE (1, invalid argument)". */
    static GpuException failure(int result, String call, String where) {
        String[] words = new String[1];
        String meaning = JCudaDriver.cuGetErrorString(result, words) == CUresult.CUDA_SUCCESS && words[0] != null
                ? ", " + words[0]
                : "";
        return new GpuException(
                where + ": " + call + " failed: " + CUresult.stringFor(result) + " (" + result + meaning + ")");
    }

    /** A null-terminated text. */
    static String text(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }
}
