package dev.obr.kernels.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ColumnOrderTest {
    private final ColumnOrder order = ColumnOrder.of(2, 0, 1);

    @Test
    void columnsAreTakenInOrderAndPutBack() {
        Matrix matrix = new Matrix(2, 3, new float[] {10, 11, 12, 20, 21, 22});
        Matrix ordered = order.columnsOf(matrix);
        assertThat(ordered.values()).containsExactly(12, 10, 11, 22, 20, 21);
        assertThat(order.restore(ordered).values()).containsExactly(matrix.values());
        float[] gathered = new float[3];
        order.gather(new float[] {10, 11, 12}, gathered);
        assertThat(gathered).containsExactly(12, 10, 11);
        float[] scattered = new float[3];
        order.scatter(gathered, scattered);
        assertThat(scattered).containsExactly(10, 11, 12);
    }

    @Test
    void rowsAndColumnsTogether() {
        Matrix square = new Matrix(3, 3, new float[] {0, 1, 2, 10, 11, 12, 20, 21, 22});
        assertThat(order.bothOf(square).values()).containsExactly(22, 20, 21, 2, 0, 1, 12, 10, 11);
    }

    @Test
    void equalScoresStayFromTheLeft() {
        assertThat(ColumnOrder.descending(new double[] {1, 3, 1, 2, 3})).isEqualTo(ColumnOrder.of(1, 4, 3, 0, 2));
    }

    @Test
    void onlyPermutationsAreOrders() {
        assertThatThrownBy(() -> ColumnOrder.of(0, 2, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("entry 2 is 0, which stands before it already");
        assertThatThrownBy(() -> ColumnOrder.of(0, 3, 1)).hasMessage("entry 1 is 3, but there are columns 0 to 2");
        assertThatThrownBy(() -> ColumnOrder.of(-1)).hasMessage("entry 0 is -1, but there are columns 0 to 0");
        assertThat(ColumnOrder.of().size()).isZero();
    }
}
