package dev.obr.kernels.emulator;

import dev.obr.kernels.ObrException;

/** The text of a module, for errors to quote. */
record Source(String name, String text) {
    /** What is wrong at a line, counted from 1. */
    ObrException error(int line, String what) {
        String quoted =
                text.lines().skip(Math.max(0, line - 1)).findFirst().orElse("").strip();
        return new ObrException(name + ", line " + line + ": " + what
                + (quoted.isEmpty()
                        ? ""
                        : " in \"" + (quoted.length() > 200 ? quoted.substring(0, 200) : quoted) + "\""));
    }
}
