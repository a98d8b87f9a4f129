/** Multiple-choice tasks without examples, scored as lm-evaluation-harness scores them. */
@NullMarked
package dev.obr.compressor.eval.zeroshot;

import org.jspecify.annotations.NullMarked;
