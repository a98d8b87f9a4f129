package dev.obr.compressor.eval;

import dev.obr.models.Model;
import dev.obr.models.Weight;
import dev.obr.models.demo.DemoModel;
import dev.obr.runtime.LanguageModel;
import dev.obr.runtime.RuntimeOptions;
import dev.obr.runtime.transformer.KvType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntUnaryOperator;

/** The demo model, as it is or with one tensor changed. */
final class AlteredModel {
    static final RuntimeOptions OPTIONS =
            RuntimeOptions.defaults().withThreads(2).withKv(KvType.F32);

    private AlteredModel() {}

    static LanguageModel none() {
        return LanguageModel.openDemo(OPTIONS);
    }

    /** All logits twice as large: exact in BF16, and the most probable tokens stay the same. */
    static LanguageModel doubledHead() {
        return changed("lm_head.weight", bits -> (bits & 0x7F80) == 0 ? bits : bits + 0x80);
    }

    static LanguageModel notANumber() {
        return changed("model.norm.weight", bits -> 0x7FC0);
    }

    /** @param change of the bits of each BF16 value */
    private static LanguageModel changed(String name, IntUnaryOperator change) {
        Model demo = DemoModel.open();
        Map<String, Weight> weights = new LinkedHashMap<>(demo.weights());
        Weight old = demo.weights().get(name);
        if (old == null) {
            throw new IllegalStateException("the demo model has no " + name);
        }
        Arena arena = Arena.ofShared();
        MemorySegment memory = arena.allocate(old.memory().byteSize(), 64);
        for (int i = 0; i < old.elements(); i++) {
            int bits = old.memory().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i);
            memory.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) change.applyAsInt(bits));
        }
        weights.put(name, new Weight(name, old.type(), old.shape(), memory));
        return LanguageModel.open(new Model("altered", demo.config(), weights, demo.tokenizer(), null, arena), OPTIONS);
    }
}
