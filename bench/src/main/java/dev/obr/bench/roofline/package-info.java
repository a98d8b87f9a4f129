/**
 * How long kernels would take on a GPU, modelled: what a thread block does is counted by the PTX emulator, how fast a GPU does it is a table of peaks. Nothing here is measured.
 */
@NullMarked
package dev.obr.bench.roofline;

import org.jspecify.annotations.NullMarked;
