@NullMarked
package dev.obr.compressor.eval.zeroshot;

import org.jspecify.annotations.NullMarked;
