package dev.obr.bench.e2e;

import dev.obr.models.Model;
import java.util.function.Supplier;

/**
 * One form of the model that is measured.
 *
 * @param name as rows call it, e.g. {@code dense}, {@code 4:8p}
 * @param model opens it
 */
public record Variant(String name, Supplier<Model> model) {}
