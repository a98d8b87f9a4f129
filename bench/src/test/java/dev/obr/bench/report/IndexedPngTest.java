package dev.obr.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class IndexedPngTest {
    /** 16 columns of 16 frequent colours, and a last row of 256 rare ones beside them. */
    private static BufferedImage image(int rare) {
        BufferedImage image = new BufferedImage(256, 16, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 16; y++) {
            for (int x = 0; x < 256; x++) {
                image.setRGB(x, y, (x / 16 * 16) << 16 | (y == 15 && x < rare ? x : 0));
            }
        }
        return image;
    }

    private static BufferedImage read(byte[] png) throws Exception {
        return ImageIO.read(new ByteArrayInputStream(png));
    }

    @Test
    void fewColoursComeBackAsTheyWere() throws Exception {
        BufferedImage image = image(200);
        BufferedImage read = read(IndexedPng.of(image));
        assertThat(read.getRGB(0, 0, 256, 16, null, 0, 256)).isEqualTo(image.getRGB(0, 0, 256, 16, null, 0, 256));
    }

    @Test
    void ofManyTheFrequentOnesStayAndTheRareOnesMoveToTheNearest() throws Exception {
        BufferedImage image = image(256);
        BufferedImage read = read(IndexedPng.of(image));
        int moved = 0;
        for (int x = 0; x < 256; x++) {
            assertThat(read.getRGB(x, 0)).isEqualTo(image.getRGB(x, 0));
            int difference = Math.abs((read.getRGB(x, 15) & 255) - (image.getRGB(x, 15) & 255));
            assertThat(read.getRGB(x, 15) >> 8).isEqualTo(image.getRGB(x, 15) >> 8);
            assertThat(difference).isLessThanOrEqualTo(16);
            moved += difference > 0 ? 1 : 0;
        }
        assertThat(moved).isPositive();
    }
}
