package example.chat;

import dev.obr.langchain4j.ObrModel;
import dev.obr.runtime.BatchStatus;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.stereotype.Component;

/** {@code /actuator/health}: what the model has to do. */
@Component
class ModelHealthIndicator implements HealthIndicator {
    private final ObrModel model;

    ModelHealthIndicator(ObrModel model) {
        this.model = model;
    }

    @Override
    public Health health() {
        BatchStatus status = model.status();
        return Health.up()
                .withDetail("model", model.name())
                .withDetail("running", status.running())
                .withDetail("waiting", status.waiting())
                .withDetail("cacheBytes", status.cacheBytes())
                .build();
    }
}
