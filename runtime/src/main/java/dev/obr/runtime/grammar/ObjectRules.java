package dev.obr.runtime.grammar;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Objects by {@code properties}, {@code required} and {@code additionalProperties}. Properties come in one order, or n of them would take n! alternatives.
 *
 * <pre>
 *   object = "{" gap first 0
 *   first i = member i, next i+1 | first i+1          the second way round only where member i is optional
 *   next i  = comma member i, next i+1 | next i+1
 *   first n = "}" | other member, next n              others only where additional ones are allowed
 *   next n  = gap "}" | comma other member, next n
 * </pre>
 */
record ObjectRules(GrammarBuilder grammar, JsonRules json, SchemaRules schemas) {
    private record Member(int rule, boolean required) {}

    void define(int object, Schema schema) {
        Map<String, Schema> properties = new LinkedHashMap<>(schema.named("properties"));
        List<String> required = schema.texts("required");
        Schema additional = schema.find("additionalProperties");
        Schema others = additional != null || schema.has("properties") ? additional : anything(schema);
        for (String name : required) {
            properties.putIfAbsent(name, additional == null ? anything(schema) : additional);
        }
        List<Member> members = properties.entrySet().stream()
                .map(property -> member(property.getKey(), property.getValue(), required))
                .toList();
        int other = others == null ? grammar.rule("no member") : otherMember(schema, others, properties);

        int first = grammar.rule("the end of " + schema.path());
        int next = grammar.rule("more of " + schema.path());
        grammar.add(first, Sequence.of("}"));
        grammar.add(first, Sequence.of(other).rule(next));
        grammar.add(next, Sequence.of(json.gap()).text("}"));
        grammar.add(next, Sequence.of(json.comma()).rule(other).rule(next));
        for (Member member : members.reversed()) {
            int laterFirst = first;
            int laterNext = next;
            first = grammar.rule(
                    "the start of " + schema.path(), Sequence.of(member.rule()).rule(laterNext));
            next = grammar.rule(
                    "more of " + schema.path(),
                    Sequence.of(json.comma()).rule(member.rule()).rule(laterNext));
            if (!member.required()) {
                grammar.add(first, Sequence.of(laterFirst));
                grammar.add(next, Sequence.of(laterNext));
            }
        }
        grammar.add(object, Sequence.of("{").rule(json.gap()).rule(first));
    }

    private Member member(String name, Schema value, List<String> required) {
        Sequence written =
                Sequence.of(JsonRules.quoted(name)).rule(json.colon()).rule(schemas.rule(value));
        return new Member(grammar.rule("a member " + value.path(), written), required.contains(name));
    }

    private int otherMember(Schema schema, Schema value, Map<String, Schema> properties) {
        String of = " of " + schema.path();
        int name = properties.isEmpty() ? json.value(JsonType.STRING) : otherName(of, properties);
        return grammar.rule(
                "another member" + of, Sequence.of(name).rule(json.colon()).rule(schemas.rule(value)));
    }

    /** One letter after another, what the names of {@code properties} have in common with the name being written. */
    private static final class Letters {
        final Map<Integer, Letters> next = new LinkedHashMap<>();
        boolean isName;
        int rule;
    }

    /** Names, written without escapes, that are none of {@code properties}. */
    private int otherName(String of, Map<String, Schema> properties) {
        int letter = grammar.rule("a letter of a name" + of, JsonRules.plain().utf8());
        int rest = grammar.rule(
                "the rest of a name" + of,
                new Sequence().repeat(letter, 0, Symbol.Repeat.ENDLESS).text("\""));
        Letters root = new Letters();
        root.rule = grammar.rule("a name" + of);
        List<Letters> all = new java.util.ArrayList<>(List.of(root));
        for (String name : properties.keySet()) {
            Letters reached = root;
            for (int c : name.codePoints().toArray()) {
                Letters known = reached.next.get(c);
                if (known == null) {
                    known = new Letters();
                    known.rule = grammar.rule("a name" + of);
                    reached.next.put(c, known);
                    all.add(known);
                }
                reached = known;
            }
            reached.isName = true;
        }
        for (Letters letters : all) {
            define(letters, rest, of);
        }
        return grammar.rule("a name" + of, Sequence.of("\"").rule(root.rule));
    }

    private void define(Letters letters, int rest, String of) {
        if (!letters.isName) {
            grammar.add(letters.rule, Sequence.of("\""));
        }
        CodePointSet different = JsonRules.plain();
        for (Map.Entry<Integer, Letters> entry : letters.next.entrySet()) {
            CodePointSet one = CodePointSet.of(Character.toString(entry.getKey()));
            different = different.without(one);
            if (JsonRules.plain().contains(entry.getKey())) {
                grammar.add(
                        letters.rule,
                        Sequence.of(Character.toString(entry.getKey())).rule(entry.getValue().rule));
            }
        }
        int another = grammar.rule("another letter of a name" + of, different.utf8());
        grammar.add(letters.rule, Sequence.of(another).rule(rest));
    }

    private static Schema anything(Schema schema) {
        return new Schema(JsonNodeFactory.instance.booleanNode(true), schema.path());
    }
}
