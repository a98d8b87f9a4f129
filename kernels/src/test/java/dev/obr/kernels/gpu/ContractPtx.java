package dev.obr.kernels.gpu;

/** The kernels of {@link GpuDeviceContract}, as NVIDIA's compiler would write them. */
final class ContractPtx {
    static final String TEXT = """
            .version 7.1
            .target sm_80
            .address_size 64

            // out[i] = a[i] + factor * b[i] for i < n
            .visible .entry add(
                .param .u64 add_out,
                .param .u64 add_a,
                .param .u64 add_b,
                .param .f32 add_factor,
                .param .u32 add_n
            )
            {
                .reg .pred %p<2>;
                .reg .f32 %f<5>;
                .reg .b32 %r<6>;
                .reg .b64 %rd<11>;

                ld.param.u64 %rd1, [add_out];
                ld.param.u64 %rd2, [add_a];
                ld.param.u64 %rd3, [add_b];
                ld.param.f32 %f1, [add_factor];
                ld.param.u32 %r1, [add_n];
                mov.u32 %r2, %ctaid.x;
                mov.u32 %r3, %ntid.x;
                mov.u32 %r4, %tid.x;
                mad.lo.s32 %r5, %r2, %r3, %r4;
                setp.ge.s32 %p1, %r5, %r1;
                @%p1 bra $L_end;
                cvta.to.global.u64 %rd4, %rd1;
                cvta.to.global.u64 %rd5, %rd2;
                cvta.to.global.u64 %rd6, %rd3;
                mul.wide.s32 %rd7, %r5, 4;
                add.s64 %rd8, %rd5, %rd7;
                add.s64 %rd9, %rd6, %rd7;
                add.s64 %rd10, %rd4, %rd7;
                ld.global.f32 %f2, [%rd8];
                ld.global.f32 %f3, [%rd9];
                fma.rn.f32 %f4, %f1, %f3, %f2;
                st.global.f32 [%rd10], %f4;
            $L_end:
                ret;
            }

            .extern .shared .align 16 .b8 dynamic[];

            // each block of 32 threads: out[31 - t] = in[t], through the last 128 of its `bytes` bytes of shared memory
            .visible .entry turn(
                .param .u64 turn_out,
                .param .u64 turn_in,
                .param .u32 turn_bytes
            )
            {
                .reg .f32 %f<3>;
                .reg .b32 %r<8>;
                .reg .b64 %rd<7>;

                ld.param.u64 %rd1, [turn_out];
                ld.param.u64 %rd2, [turn_in];
                ld.param.u32 %r1, [turn_bytes];
                cvta.to.global.u64 %rd3, %rd1;
                cvta.to.global.u64 %rd4, %rd2;
                mov.u32 %r2, %tid.x;
                mul.wide.s32 %rd5, %r2, 4;
                add.s64 %rd4, %rd4, %rd5;
                add.s64 %rd3, %rd3, %rd5;
                ld.global.f32 %f1, [%rd4];
                mov.u32 %r3, dynamic;
                add.s32 %r4, %r3, %r1;
                shl.b32 %r5, %r2, 2;
                sub.s32 %r6, %r4, %r5;
                st.shared.f32 [%r6+-4], %f1;
                bar.sync 0;
                add.s32 %r7, %r4, %r5;
                ld.shared.f32 %f2, [%r7+-128];
                st.global.f32 [%rd3], %f2;
                ret;
            }
            """;

    private ContractPtx() {}
}
