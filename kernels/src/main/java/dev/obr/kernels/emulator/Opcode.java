package dev.obr.kernels.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An opcode whose modifiers are taken one by one by whoever decodes it: what nobody has taken at the end is unknown, and an error.
 */
final class Opcode {
    private final String text;
    private final String name;
    private final List<String> left;

    Opcode(String text) {
        this.text = text;
        List<String> parts = Arrays.asList(text.split("\\.", -1));
        this.name = parts.getFirst();
        this.left = new ArrayList<>(parts.subList(1, parts.size()));
    }

    /** The part before the first dot. */
    String name() {
        return name;
    }

    /** With all modifiers. */
    String text() {
        return text;
    }

    /** Takes the modifier if it is there. */
    boolean take(String modifier) {
        return left.remove(modifier);
    }

    /** Takes the first of these modifiers that is there. */
    @Nullable
    String takeAny(String... modifiers) {
        for (String modifier : left) {
            if (Arrays.asList(modifiers).contains(modifier)) {
                left.remove(modifier);
                return modifier;
            }
        }
        return null;
    }

    /** Takes one of these modifiers, which must be there. */
    String takeOne(String... modifiers) {
        String taken = takeAny(modifiers);
        if (taken == null) {
            throw new DecodeFault("expected one of the modifiers " + Arrays.toString(modifiers));
        }
        return taken;
    }

    /** Takes all of these modifiers: they change nothing here. */
    void ignore(String... modifiers) {
        for (String modifier : modifiers) {
            left.remove(modifier);
        }
    }

    /** Takes all modifiers that are left. */
    void takeAll() {
        left.clear();
    }

    /** Takes the first type. */
    PtxType type() {
        for (String modifier : left) {
            PtxType type = PtxType.of(modifier);
            if (type != null) {
                left.remove(modifier);
                return type;
            }
        }
        throw new DecodeFault("expected a type");
    }

    /** Takes the first type, which must be one of these. */
    PtxType type(PtxType... allowed) {
        PtxType type = type();
        if (!Arrays.asList(allowed).contains(type)) {
            throw new DecodeFault("expected one of the types " + Arrays.toString(allowed) + ", not " + type);
        }
        return type;
    }

    /** All modifiers must have been taken. */
    void finish() {
        if (!left.isEmpty()) {
            throw new DecodeFault("unknown modifier ." + left.getFirst());
        }
    }
}
