package dev.obr.runtime.grammar;

import java.util.List;

/**
 * Arrays by {@code prefixItems}, {@code items}, {@code minItems} and {@code maxItems}.
 *
 * <pre>
 *   array = "[" gap ( "]" | item 0, after 1 )
 *   after i = gap "]" | comma, item i, after i+1          one rule for each place of prefixItems,
 *   after n = (comma item){..} gap "]"                    then a repetition
 * </pre>
 */
record ArrayRules(GrammarBuilder grammar, JsonRules json, SchemaRules schemas) {
    void define(int array, Schema schema) {
        List<Schema> places = schema.list("prefixItems");
        Schema items = schema.find("items");
        int min = schema.count("minItems", 0);
        int max = schema.count("maxItems", Symbol.Repeat.ENDLESS);
        if (items == null && !places.isEmpty()) {
            int needed = Math.max(places.size(), min);
            max = max == Symbol.Repeat.ENDLESS ? needed : Math.min(max, needed);
        }
        if (max != Symbol.Repeat.ENDLESS && max < min) {
            return; // no array is both
        }
        int[] prefix = places.stream().mapToInt(schemas::rule).toArray();
        int item = items == null ? json.anything() : schemas.rule(items);
        if (min == 0) {
            grammar.add(array, Sequence.of("[").rule(json.gap()).text("]"));
        }
        if (max != 0) {
            int first = prefix.length > 0 ? prefix[0] : item;
            grammar.add(
                    array,
                    Sequence.of("[").rule(json.gap()).rule(first).rule(after(schema, 1, prefix, item, min, max)));
        }
    }

    /** What follows the first {@code count} items. */
    private int after(Schema schema, int count, int[] prefix, int item, int min, int max) {
        int places = Math.max(1, prefix.length);
        int further = grammar.rule(
                "an item of " + schema.path(), Sequence.of(json.comma()).rule(item));
        int most = max == Symbol.Repeat.ENDLESS ? max : Math.max(0, max - places);
        int after = grammar.rule(
                "items of " + schema.path(),
                new Sequence()
                        .repeat(further, Math.max(0, min - places), most)
                        .rule(json.gap())
                        .text("]"));
        for (int i = places - 1; i >= count; i--) {
            int rest = after;
            after = grammar.rule("items of " + schema.path());
            if (i >= min) {
                grammar.add(after, Sequence.of(json.gap()).text("]"));
            }
            if (max == Symbol.Repeat.ENDLESS || i < max) {
                grammar.add(after, Sequence.of(json.comma()).rule(prefix[i]).rule(rest));
            }
        }
        return after;
    }
}
