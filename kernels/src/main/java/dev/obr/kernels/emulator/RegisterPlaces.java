package dev.obr.kernels.emulator;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Hands out the places of a kernel's register files: one file of 32-bit and one of 64-bit registers, each with 32 lanes side by side, and one of predicates with a bit a lane. Constants and special
 * registers have places too, which are filled in when a warp begins.
 */
final class RegisterPlaces {
    private static final int MOST = 1 << 22;

    private final Map<Integer, Integer> wordConstants = new HashMap<>();
    private final Map<Long, Integer> longConstants = new HashMap<>();
    private final Map<SpecialRegister, Integer> specials = new HashMap<>();
    private final Map<Boolean, Integer> predicateConstants = new HashMap<>();
    private int words;
    private int longs;
    private int predicates;

    /** The place of a new register's lane 0. */
    int newPlace(boolean wide) {
        int place = wide ? longs : words;
        if (wide) {
            longs += Warp.LANES;
        } else {
            words += Warp.LANES;
        }
        if (words > MOST || longs > MOST) {
            throw new DecodeFault("too many registers");
        }
        return place;
    }

    int newPredicate() {
        return predicates++;
    }

    int wordConstant(int value) {
        return wordConstants.computeIfAbsent(value, unused -> newPlace(false));
    }

    int longConstant(long value) {
        return longConstants.computeIfAbsent(value, unused -> newPlace(true));
    }

    int predicateConstant(boolean value) {
        return predicateConstants.computeIfAbsent(value, unused -> newPredicate());
    }

    int special(SpecialRegister register) {
        return specials.computeIfAbsent(register, unused -> newPlace(false));
    }

    /** Places in the file of 32-bit registers. */
    int words() {
        return words;
    }

    int longs() {
        return longs;
    }

    int predicates() {
        return predicates;
    }

    /** Begins a warp: all registers are 0, constants what they are. */
    void fill(Warp warp) {
        Arrays.fill(warp.words, 0);
        Arrays.fill(warp.longs, 0);
        Arrays.fill(warp.predicates, 0);
        wordConstants.forEach((value, place) -> Arrays.fill(warp.words, place, place + Warp.LANES, value));
        longConstants.forEach((value, place) -> Arrays.fill(warp.longs, place, place + Warp.LANES, value));
        predicateConstants.forEach((value, place) -> warp.predicates[place] = value ? -1 : 0);
        specials.forEach((register, place) -> {
            for (int lane = 0; lane < Warp.LANES; lane++) {
                warp.words[place + lane] = register.value(warp, lane);
            }
        });
    }
}
