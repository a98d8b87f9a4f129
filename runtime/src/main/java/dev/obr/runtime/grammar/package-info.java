/** What a text may be: grammars, JSON schemas as grammars, and the tokens that each lets come next. */
@NullMarked
package dev.obr.runtime.grammar;

import org.jspecify.annotations.NullMarked;
