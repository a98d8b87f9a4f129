/** Tests of the GPU timing model. */
@NullMarked
package dev.obr.bench.roofline;

import org.jspecify.annotations.NullMarked;
