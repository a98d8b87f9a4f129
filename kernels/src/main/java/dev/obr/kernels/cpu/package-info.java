/** The CPU kernels: one interface, three twins (scalar, Vector API, native C), and the provider that chooses. */
@NullMarked
package dev.obr.kernels.cpu;

import org.jspecify.annotations.NullMarked;
